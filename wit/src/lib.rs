//! The interface files of theater:simple, as constants.
