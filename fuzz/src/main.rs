//! One target under libFuzzer, named by `FUZZ_TARGET`. With `FUZZ_SEEDS` it writes the seeds of every target there, and ends.
#![no_main]

use std::sync::LazyLock;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
    let target = fuzz::TARGETS.iter().find(|target| target.0 == name);
    target.unwrap_or_else(|| panic!("there is no target {name}")).1
});

libfuzzer_sys::fuzz_target!(init: {
    if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
        for (target, _) in fuzz::TARGETS {
            let folder = std::path::Path::new(&folder).join(target);
            std::fs::create_dir_all(&folder).expect("the folder of seeds can be written");
            for (number, seed) in fuzz::seeds(target).iter().enumerate() {
                std::fs::write(folder.join(format!("seed{number}")), seed).expect("a seed can be written");
            }
        }
        std::process::exit(0);
    }
}, |data: &[u8]| RUN(data));
