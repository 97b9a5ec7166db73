//! The PYSPARK driver.
