//! A PostgreSQL whose administrator speaks another language.

mod german;
