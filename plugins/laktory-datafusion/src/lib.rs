//! The DATAFUSION driver.
