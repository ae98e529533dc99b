//! How findings look: one file per format. A renderer never decides what is said.
