//! The site behind a real nginx, with the same file that operators copy (`deploy/nginx`): its cache answers a crowd's
//! polls, and it never caches a visitor's own pages.

mod assets;
mod crowd;
mod front;
mod limits;
mod logs;
mod privacy;
