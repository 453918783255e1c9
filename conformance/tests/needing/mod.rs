//! Trials that need something of the machine: where it is missing they show as ignored and say why; with
//! PEERPROOF_REQUIRE_CLIENTS=1 they fail.

use libtest_mimic::{Failed, Trial};

/// A trial that runs where the machine has what it needs.
pub(crate) fn needing(
    name: impl Into<String>,
    has: Result<(), String>,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = name.into();
    match has {
        Ok(()) => Trial::test(name, run),
        Err(why) if required() => Trial::test(name, move || Err(why.into())),
        Err(why) => Trial::test(name, || Ok(()))
            .with_kind(format!("absent: {why}"))
            .with_ignored_flag(true),
    }
}

/// Whether nothing may be missing.
pub(crate) fn required() -> bool {
    std::env::var_os("PEERPROOF_REQUIRE_CLIENTS").is_some_and(|it| it == "1")
}
