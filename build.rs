//! Puts the page of the report, which npm makes of `webui/`, where `src/report/html.rs` includes it.
//!
//! npm runs when what lies in `webui/dist` was made of other sources than there are now: once after a clone, and when
//! the page is worked on. A source distribution brings the page made, so that installing it needs no npm.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs, io};

/// What the page is made of, in `webui/`.
const SOURCES: [&str; 6] =
    ["src", "report.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo::rerun-if-changed=webui/{source}");
    }
    if let Err(reason) = embed() {
        eprintln!("error: {reason}");
        exit(1);
    }
}

fn embed() -> Result<(), String> {
    let webui = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("webui");
    let (made, stamp) = (webui.join("dist/report.html"), webui.join("dist/made-of"));
    let sources = fingerprint(&webui).map_err(|error| format!("cannot read {}: {error}", webui.display()))?;
    let is_current = made.exists() && fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == sources);
    if !is_current {
        if !has_packages(&webui) {
            npm(&webui, &["ci", "--omit=dev"])?;
        }
        npm(&webui, &["run", "build"])?;
        fs::write(&stamp, sources).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    }
    let embedded = Path::new(&variable("OUT_DIR")?).join("report.html");
    fs::copy(&made, &embedded).map_err(|error| format!("cannot copy {}: {error}", made.display()))?;
    embed_page(&webui.join("dist"), Path::new(&variable("OUT_DIR")?))
        .map_err(|error| format!("cannot embed the web page: {error}"))
}

/// The web page, and a list of the files beside it for `src/web/assets.rs`.
fn embed_page(dist: &Path, out: &Path) -> io::Result<()> {
    for (page, id) in [("index.html", "template-args"), ("auth.html", "auth-args")] {
        let made = fs::read_to_string(dist.join(page)).unwrap_or_else(|_| {
            let data = format!("<script type=\"application/json\" id=\"{id}\">GREGARIA-DATA</script>");
            format!("<!doctype html>\n<html lang=\"en\">\n<title>Locust</title>\n{data}\n</html>\n")
        });
        fs::write(out.join(page), made)?;
    }
    let assets = dist.join("assets");
    let mut files = Vec::new();
    if assets.is_dir() {
        collect(&assets, &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&assets).unwrap_or(file).to_string_lossy().replace('\\', "/");
        list += &format!("    ({name:?}, include_bytes!({:?})),\n", file.display().to_string());
    }
    fs::write(out.join("assets.rs"), list + "]\n")
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo did not set {name}"))
}

/// Whether npm has installed what the lock file says: then it left a copy (`postinstall` in package.json). By content, as
/// a checkout gives files other times. Installing again would take away what only checks need.
fn has_packages(webui: &Path) -> bool {
    let read = |path: &str| fs::read(webui.join(path)).ok();
    read("node_modules/.installed").is_some_and(|installed| Some(installed) == read("package-lock.json"))
}

fn npm(webui: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let what = format!("`npm {}` in {}", arguments.join(" "), webui.display());
    let advice = "the page of the HTML report is built by npm: install Node.js 20.19 or newer, or build from a source \
                  distribution, which brings the page";
    let run = Command::new(program).args(arguments).current_dir(webui).output();
    let output = run.map_err(|error| format!("cannot run {what} ({error}); {advice}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned()).join("\n");
    Err(format!("{what} failed ({}); {advice}. It said:\n{said}", output.status))
}

/// A number that changes with any of the sources. By content, as an unpacked archive has other times.
fn fingerprint(webui: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&webui.join(source), &mut files)?;
    }
    files.sort();
    let mut hash = Fnv::default();
    for file in files {
        let name = file.strip_prefix(webui).map_or(file.as_os_str(), Path::as_os_str);
        hash.add(OsStr::as_encoded_bytes(name));
        hash.add(&fs::read(&file)?);
    }
    Ok(format!("{:016x}\n", hash.0))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}

/// FNV-1a: the same on every machine and toolchain, as the stamp travels with a source distribution.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        // The length keeps the end of one file from being taken for the start of the next.
        for byte in bytes.len().to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
