# Completion of wasmpack for bash 4 or newer.
_wasmpack() {
    local kind value help
    COMPREPLY=()
    compopt -o nosort 2>/dev/null
    while IFS=$'\t' read -r kind value help; do
        COMPREPLY+=("$value")
        case $kind in
            part) compopt -o nospace ;;
            file) compopt -o filenames ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -F _wasmpack wasmpack
