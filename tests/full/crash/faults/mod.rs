//! Faults of the machine: the disk is full, the file descriptors are used up, the clock jumps. Buyers are told to try
//! again, no confirmed booking is lost, and the server recovers by itself.

mod clock;
pub mod clocks_apart;
mod descriptors;
mod full_disk;
