//! An nginx for this run alone.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Result;
use testkit::server::free_port;

/// Runs nginx as long as a process holds the script's input open, so nginx stops even if this process is killed.
const SCRIPT: &str = "
    set -euo pipefail
    source scripts/lib/packages.sh
    need_packages nginx:nginx
    nginx -p \"$0\" -c \"$0/nginx.conf\" -g 'daemon off;' 2>\"$0/nginx.log\" &
    trap 'kill %1; wait' EXIT
    for _ in $(seq 100); do
      (exec 3<>\"/dev/tcp/127.0.0.1/$1\") 2>/dev/null && echo ready && break
      sleep 0.1
    done
    read -r _ || true";

pub struct Nginx {
    pub address: SocketAddr,
    shell: Child,
}

impl Nginx {
    /// Serves those bytes as `/availability`.
    pub fn start(folder: &Path, body: &[u8]) -> Result<Self> {
        let folder = folder.join("nginx");
        fs::create_dir(&folder)?;
        fs::write(folder.join("availability"), body)?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        fs::write(folder.join("nginx.conf"), configuration(&folder, address))?;
        let mut shell = Command::new("bash")
            .args(["-c", SCRIPT, &folder.display().to_string(), &address.port().to_string()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(shell.stdout.take().ok_or("bash has no output")?);
        let nginx = Self { address, shell };
        let mut line = String::new();
        while output.read_line(&mut line)? > 0 {
            if line.ends_with("ready\n") {
                return Ok(nginx);
            }
        }
        let log = fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
        Err(format!("nginx did not start: {line}{log}").into())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // At the end of its input the shell stops nginx.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

/// The settings that an operator would use to serve one small file to many visitors: a worker for each core, files
/// kept open, no log.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "worker_processes auto;
         user root;
         pid {folder}/pid;
         events {{ worker_connections 4096; }}
         http {{
           access_log off;
           keepalive_requests 1000000000;
           open_file_cache max=100;
           tcp_nodelay on;
           sendfile on;
           client_body_temp_path {folder}/body;
           proxy_temp_path {folder}/proxy;
           fastcgi_temp_path {folder}/fastcgi;
           uwsgi_temp_path {folder}/uwsgi;
           scgi_temp_path {folder}/scgi;
           default_type text/html;
           server {{
             listen {address};
             root {folder};
             add_header Content-Encoding br;
           }}
         }}"
    )
}
