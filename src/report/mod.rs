//! A table as people and machines read it. Nothing here changes a number.

pub mod console;
pub mod csv;
pub mod csv_files;
pub mod html;
pub mod number;
