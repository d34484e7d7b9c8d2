//! Statistics and files of the reports.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::Result;

/// NaN if there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// Writes a report into Cargo's target folder.
pub fn write(name: &str, report: &Value) -> Result<PathBuf> {
    let binary = crate::binary();
    let target = binary.parent().and_then(Path::parent).ok_or("the binary is in no target folder")?;
    let file = target.join(name);
    fs::write(&file, format!("{report:#}\n"))?;
    Ok(file)
}
