//! The targets over their seeds, and over what is made of them by cutting and by changing a byte: without an engine, on every machine.

#[test]
fn every_target_keeps_its_promises_on_its_seeds() {
    for (name, run) in fuzz::TARGETS {
        let seeds = fuzz::seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            run(&seed);
            for place in (0..seed.len()).step_by(1 + seed.len() / 50) {
                run(&seed[..place]);
                let mut changed = seed.clone();
                changed[place] ^= 1;
                run(&changed);
            }
        }
    }
}
