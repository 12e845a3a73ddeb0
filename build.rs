//! Puts the pages, which npm makes of `webui/`, where the crate includes them: the report as `report.html`, and the
//! files of the web server's page as a list in `page.rs`.
//!
//! npm runs when what lies in `webui/dist` was made of other sources than there are now: once after a clone, and when
//! the pages are worked on. A source distribution brings them made, so that installing it needs no npm.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs, io};

/// What the pages are made of, in `webui/`.
const SOURCES: [&str; 8] = [
    "src",
    "index.html",
    "login.html",
    "report.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];

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
    let (made, stamp) = (webui.join("dist"), webui.join("dist/made-of"));
    let sources = fingerprint(&webui).map_err(|error| format!("cannot read {}: {error}", webui.display()))?;
    if !fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == sources) {
        if !has_packages(&webui) {
            npm(&webui, &["ci", "--omit=dev"])?;
        }
        npm(&webui, &["run", "build"])?;
        fs::write(&stamp, sources).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    }
    let embedded = PathBuf::from(variable("OUT_DIR")?);
    copy(&made.join("report.html"), &embedded.join("report.html"))?;
    list(&made, &embedded)
}

/// The files of the page, and `page.rs`, an expression: their paths below the page's own, and what is in them.
fn list(made: &Path, embedded: &Path) -> Result<(), String> {
    let mut files = vec![made.join("index.html"), made.join("login.html")];
    collect(&made.join("assets"), &mut files).map_err(|error| format!("cannot read {}: {error}", made.display()))?;
    files.sort();
    let mut entries = Vec::new();
    for file in files {
        let name = file.strip_prefix(made).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        copy(&file, &embedded.join("page").join(&name))?;
        let bytes = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), {:?}))", format!("/page/{name}"));
        entries.push(format!("    ({name:?}, {bytes} as &[u8]),\n"));
    }
    let list = embedded.join("page.rs");
    fs::write(&list, format!("&[\n{}]\n", entries.concat()))
        .map_err(|error| format!("cannot write {}: {error}", list.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let made = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(from, to));
    made.map(drop).map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
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
    let advice = "the web pages are built by npm: install Node.js 20.19 or newer, or build from a source distribution, which \
                  brings them";
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
