//! Bugs that can be planted, to learn whether the simulator catches them. `planted!("name")` is false, and costs
//! nothing, unless the feature `planted` is on and [`plant`] has switched that name on. No product is built with it.

/// True when the bug of this name is planted.
#[macro_export]
macro_rules! planted {
    ($name:literal) => {
        $crate::planted::is_planted($name)
    };
}

pub use switched::{is_planted, plant, uproot_all};

/// True in a build in which bugs can be planted.
pub const CAN_PLANT: bool = cfg!(feature = "planted");

#[cfg(not(feature = "planted"))]
mod switched {
    /// True when the bug of this name is planted; never in this build. For the macro.
    #[inline(always)]
    pub const fn is_planted(_name: &str) -> bool {
        false
    }

    /// Plants the bug of this name, in the whole process; nothing in this build.
    pub fn plant(_name: &str) {}

    /// Takes all planted bugs out.
    pub fn uproot_all() {}
}

#[cfg(feature = "planted")]
mod switched {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// True while anything is planted: most points are asked where nothing is.
    static IS_ANY: AtomicBool = AtomicBool::new(false);
    static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    fn names() -> MutexGuard<'static, BTreeSet<String>> {
        NAMES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when the bug of this name is planted. For the macro.
    pub fn is_planted(name: &str) -> bool {
        IS_ANY.load(Ordering::Acquire) && names().contains(name)
    }

    /// Plants the bug of this name, in the whole process.
    pub fn plant(name: &str) {
        names().insert(name.to_owned());
        IS_ANY.store(true, Ordering::Release);
    }

    /// Takes all planted bugs out.
    pub fn uproot_all() {
        IS_ANY.store(false, Ordering::Release);
        names().clear();
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_planted_by_default() {
        assert!(!crate::planted!("of this test"));
        super::plant("of this test");
        assert_eq!(crate::planted!("of this test"), super::CAN_PLANT);
        assert!(!crate::planted!("of another"));
        super::uproot_all();
        assert!(!crate::planted!("of this test"));
    }
}
