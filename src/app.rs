//! The only place that turns settings into live backends.
