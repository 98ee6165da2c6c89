# Completion of wasmpack for fish.
function __wasmpack_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete fish $words[2..] 2>/dev/null
end
complete -c wasmpack -f -a '(__wasmpack_complete)'
