//! FAIR: nobody is treated worse for what he is.

pub(super) mod arms;
pub(super) mod device;
pub(super) mod protected;
pub(super) mod young;
