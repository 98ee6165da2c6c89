wasmpack explain ABI005
wasmpack explain RUN003 --format json
wasmpack explain ABI999
wasmpack explain nonsense
