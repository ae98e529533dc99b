use super::layout::Layout;
pub(super) fn repair(_source: &str, _layout: &mut Layout) {}
