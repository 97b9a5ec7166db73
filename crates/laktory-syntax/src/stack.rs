//! Room for the recursion over nested texts. Depth is bounded, but a thread's stack may be small or half used.

/// What the deepest accepted text may need, in bytes, also without optimization.
const NEEDED: usize = 16 << 20;
/// A stack that is made where less is left.
const MADE: usize = 32 << 20;

/// Runs `work` on a stack that has room for the deepest accepted text.
pub(crate) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(NEEDED, MADE, work)
}
