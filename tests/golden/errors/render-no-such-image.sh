wasmpack render wasmplugin 127.0.0.1:1/me/never:v1 --retries 0
