wasmpack pull 127.0.0.1:1/a/b:v1 --retries 0
