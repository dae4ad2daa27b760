# Completion for bash. The program itself says what can stand next, and asks the
# daemon who is there; this only hands the line over, and the answer back.

_chathub() {
    local line=${COMP_LINE:0:COMP_POINT} value about begun
    # Behind a colon or an equals sign, bash takes what follows for a word of
    # its own: what stands before it is not to be put there again.
    local current=${line##*[[:space:]]} word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == [=:] ]] && word=
    begun=${current%"$word"}
    COMPREPLY=()
    while IFS=$'\t' read -r value about; do
        case $value in
        :files | :directories)
            local action=file name=${current##*=}
            [[ $value == :directories ]] && action=directory
            compopt -o filenames 2>/dev/null
            while IFS= read -r value; do
                COMPREPLY+=("$value")
            done < <(compgen -A "$action" -- "$name")
            return
            ;;
        *=) compopt -o nospace 2>/dev/null ;;
        esac
        printf -v value %q "$value"
        COMPREPLY+=("${value#"$begun"}")
    done < <("$1" ctl complete bash "$line" 2>/dev/null)
}

complete -o nosort -F _chathub chathub
