//! A table as people and machines read it. Nothing here changes a number.

pub mod background;
pub mod comparison;
pub mod console;
pub mod csv;
pub mod csv_files;
pub mod files;
pub mod hgrm;
pub mod html;
pub mod live;
pub mod number;
pub mod record;
pub mod verdict;
