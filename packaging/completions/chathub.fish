# Completion for fish. The program itself says what can stand next, and asks the
# daemon who is there; this only hands the line over, and the answer back.

function __chathub_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (command $words[1] ctl complete words -- $words 2>/dev/null)
    switch "$answer[1]"
        case ':files'
            __fish_complete_path (commandline -ct | string replace -r '^--[^=]*=' '')
        case ':directories'
            __fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '') ''
        case '*'
            printf '%s\n' $answer
    end
end

complete -c chathub -f -a '(__chathub_complete)'
