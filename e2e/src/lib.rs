//! End-to-end tests of a running stack: the real functions behind the real `template.yaml`, over HTTP alone. `cargo xtask test` starts an
//! ephemeral stack for them; `WABA_STACK_FILE` names its `stack.json`.
