#compdef wasmpack
# Completion of wasmpack for zsh.
_wasmpack() {
    local kind value help
    local -a described parts files
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            word) described+=("${value//:/\\:}${help:+:$help}") ;;
            part) parts+=("$value") ;;
            file) files+=("$value") ;;
        esac
    done < <("${words[1]}" __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#described )) && _describe -V -t values value described
    (( $#parts )) && compadd -S '' -a parts
    (( $#files )) && compadd -f -a files
    (( $#described + $#parts + $#files ))
}
if [[ $funcstack[1] == _wasmpack ]]; then
    _wasmpack "$@"
else
    compdef _wasmpack wasmpack
fi
