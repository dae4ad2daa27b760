# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_chathub_global_optspecs
    string join \n h/help V/version
end

function __fish_chathub_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_chathub_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_chathub_using_subcommand
    set -l cmd (__fish_chathub_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c chathub -n "__fish_chathub_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_needs_command" -s V -l version -d 'Print version'
complete -c chathub -n "__fish_chathub_needs_command" -f -a "serve" -d 'Run the daemon, in the foreground'
complete -c chathub -n "__fish_chathub_needs_command" -f -a "check-config" -d 'Check the settings, as the daemon would when it starts'
complete -c chathub -n "__fish_chathub_needs_command" -f -a "ctl" -d 'Look after the running daemon'
complete -c chathub -n "__fish_chathub_using_subcommand serve" -l config -d 'Read the settings from this file alone; it must exist' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand serve" -l listen -d 'Listen on this address for people who chat; may be repeated' -r
complete -c chathub -n "__fish_chathub_using_subcommand serve" -l admin-socket -d 'Listen on this path for "chathub ctl"' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand serve" -l state-dir -d 'Keep what outlives the daemon in this directory: the recorded history' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand check-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "status" -d 'Show how the hub is doing'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "clients" -d 'List who is connected'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "client" -d 'Tell all about one client'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "kick" -d 'Disconnect clients after telling them why'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "ban" -d 'Keep people out, by network or by name'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "sanction" -d 'List and lift what people are kept from: bans, mutes, expulsions from rooms'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "report" -d 'Look through what people report about each other, by /report in chat'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "account" -d 'Manage registered names'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "mute" -d 'Keep clients from being heard'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "unmute" -d 'Let muted clients be heard again'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "lockdown" -d 'Keep newcomers out, or quiet, until they have logged in'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "rename" -d 'Give a client another name'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "rooms" -d 'List the rooms, tell of one, or change what it is'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "topic" -d 'Show a room\'s topic, or set it'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "close" -d 'Close a room'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "history" -d 'Print what was said'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "redact" -d 'Make lines of history unreadable'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "history-stats" -d 'Show how much history is kept, room by room'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "backup" -d 'Copy what is recorded to a file'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "say" -d 'Say something in the name of the hub'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "monitor" -d 'Show what happens, as it happens'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "top" -d 'Show the busiest clients, again and again'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "metrics" -d 'Print all counters as OpenMetrics text'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "log-level" -d 'Show the log level, or set it until the next start'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "reload" -d 'Read the settings again'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "shutdown" -d 'Say goodbye to everybody and end the daemon'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "describe" -d 'List the commands of the admin protocol, or explain one'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "call" -d 'Send a command of the admin protocol as it is, and print the results as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and not __fish_seen_subcommand_from status clients client kick ban sanction report account mute unmute lockdown rename rooms topic close history redact history-stats backup say monitor top metrics log-level reload shutdown describe call completions" -f -a "completions" -d 'Print the completions of a shell'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -l room -d 'Only those in this room' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from clients" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from client" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l reason -d 'Why; told to them and to the room' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l ban -d 'Keep their addresses out for so long; of IPv6, their /64 networks. Others there are disconnected too' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from kick" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -f -a "add" -d 'Keep out a network, or a name and its account, and disconnect those who are here'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -f -a "list" -d 'List the bans in force'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -f -a "remove" -d 'Lift a ban'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from ban" -f -a "test" -d 'Tell which bans keep out an address or a name, and whom a ban of it would hit'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -f -a "list" -d 'List the bans, mutes and expulsions in force'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -f -a "lift" -d 'Lift a ban, a mute or an expulsion'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from sanction" -f -a "test" -d 'Tell which sanctions are about a client, an address or a name, and whom one more would reach'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -f -a "list" -d 'List the reports that are open, oldest first'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -f -a "show" -d 'Show a report with the lines in question'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from report" -f -a "close" -d 'Close reports'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "add" -d 'Make an account'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "list" -d 'List the accounts'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "passwd" -d 'Give an account another password'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "unlock" -d 'Let an account be tried again at once'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "role" -d 'Give an account another role'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "remove" -d 'Remove an account'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from account" -f -a "erase" -d 'Remove an account and all that was said under its name'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l for -d 'For how long, such as 90s, 10min, 2h; until it is lifted without it' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l reason -d 'Why; it stands in the list of sanctions' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l shadow -d 'Do not tell them: what they say looks said to them, and reaches nobody'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l dry-run -d 'Only tell whom it would reach'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from mute" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from unmute" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l for -d 'For how long, such as 10min' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l newcomers -d 'What becomes of those who come and are not logged in' -r -f -a "door\t'They wait at the door'
registered\t'They come in, and speak when they have logged in: only registered people do'"
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l off -d 'End the one that is under way'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from lockdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -f -a "list" -d 'List the rooms, as "chathub ctl rooms" does'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -f -a "show" -d 'Tell all about one room'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from rooms" -f -a "set" -d 'Change who comes into a room, who speaks in it, and who sets its topic'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from topic" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -l reason -d 'Why; told to those in it' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l room -d 'Only this room\'s' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l last -d 'Only the last N lines' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l since -d 'Only what was said at this time or later' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l until -d 'Only what was said before this time' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l search -d 'Only lines in which this text occurs; upper and lower case are the same' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l format -d 'How lines are printed: as text, as JSON (like --json), or as comma-separated values (RFC 4180)' -r -f -a "text\t'As one would read it'
json\t'One object a line'
csv\t'Comma-separated values, with a heading'"
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l output -d 'Write to this file instead of standard output; it takes its place when all is there' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l room -d 'Only in rooms of this name' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l client -d 'Only what the client with this id has said, under whatever names' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l nick -d 'Only what was said under this name, by whomever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l seq -d 'Only the line with this number' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l since -d 'Only what was said at this time or later' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l until -d 'Only what was said before this time' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l search -d 'Only lines in which this text occurs; upper and lower case are the same' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l yes -d 'Do it'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from redact" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from history-stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -l room -d 'Only to this room; to everybody without it' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from say" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from monitor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -l interval -d 'How often to refresh, such as 500ms or 5s' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from metrics" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from log-level" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l deadline -d 'How long to wait for slow clients; a setting decides without it' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l message -d 'Part of the goodbye' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l if-stopping -d 'Only if systemd is stopping this unit, and not restarting it; else do nothing' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from shutdown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from describe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -l more -d 'Ask for a stream of results, and print one a line'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -l socket -d 'The daemon\'s admin socket' -r -F
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -l timeout -d 'Wait no longer than this for an answer, such as 5s or 2min; 0 waits for ever' -r
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -l json -d 'Print what the daemon answers as JSON'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -l no-legend -d 'Leave out column headings and the count at the end'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -s q -l quiet -d 'Do not say that something was done, nor warn'
complete -c chathub -n "__fish_chathub_using_subcommand ctl; and __fish_seen_subcommand_from completions" -s h -l help -d 'Print help (see more with \'--help\')'
