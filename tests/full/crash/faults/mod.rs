//! What a machine does to a server: its disk is full, its descriptors are used up, its clock jumps. Buyers are
//! told to try again, nothing that was confirmed is lost, and the server goes on by itself afterward.

mod clock;
pub mod clocks_apart;
mod descriptors;
mod full_disk;
