//! OPTOUT: how people get rid of us.

pub(super) mod heard;
pub(super) mod slow;
pub(super) mod way_out;
pub(super) mod win_back;
