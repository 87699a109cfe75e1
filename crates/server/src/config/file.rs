//! Looking at files from outside: is it there, may we read it, who else may.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::Report;

/// Anything for group or others.
const NOT_PRIVATE: u32 = 0o077;

/// The directory that relative paths in the file at `config` start from.
pub(super) fn base(config: &Path) -> PathBuf {
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    config.parent().map(Path::to_owned).unwrap_or_default()
}

/// A directory that the service writes to.
pub(super) fn check_directory(report: &mut Report, field: &str, path: &Path) {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) => report.add(
            field,
            format!("{shown}: {error}"),
            "make the directory, owned by the service's user, mode 0700",
        ),
        Ok(found) if !found.is_dir() => {
            report.add(field, format!("{shown} is not a directory"), "name a directory");
        }
        Ok(_) if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() => {
            report.add(
                field,
                format!("{shown} is not writable for this user"),
                "give the directory to the service's user",
            );
        }
        Ok(_) => {}
    }
}

/// A file that must be readable. Returns whether it is.
pub(super) fn check_readable(report: &mut Report, field: &str, path: &Path, mend: &str) -> bool {
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) => report.add(field, format!("{shown}: {error}"), mend),
        Ok(found) if !found.is_file() => {
            report.add(field, format!("{shown} is not a file"), mend);
        }
        Ok(_) if access(path, Access::READ_OK).is_err() => report.add(
            field,
            format!("{shown} is not readable for this user"),
            "give the file to the service's user",
        ),
        Ok(_) => return true,
    }
    false
}

/// A secret, or what a keyhost trusts, that must not lie where the process that faces
/// the network may read and write. Symbolic links are followed first. Of what is not
/// there, where it would be counts; that it is missing is reported elsewhere.
pub(super) fn check_outside(report: &mut Report, field: &str, path: &Path, data_dir: &Path) {
    let real = path.ancestors().find_map(|ancestor| fs::canonicalize(ancestor).ok());
    let (Some(real), Ok(data)) = (real, fs::canonicalize(data_dir)) else { return };
    if real.starts_with(&data) {
        report.add(
            field,
            format!(
                "{} lies inside data_dir, which the process that faces the network may read \
                 and write",
                path.display()
            ),
            "move it to a directory of its own, best on another volume",
        );
    }
}

/// A file that must be readable for us and for nobody else, and not empty. It is
/// not opened.
pub(crate) fn check_secret(report: &mut Report, field: &str, path: &Path, mend: &str) -> bool {
    if !check_readable(report, field, path, mend) {
        return false;
    }
    let Ok(found) = fs::metadata(path) else { return false };
    let mode = found.permissions().mode() & 0o777;
    let shown = path.display();
    if mode & NOT_PRIVATE != 0 {
        report.add(
            field,
            format!("{shown} has mode {mode:04o}: others can read or change a secret"),
            format!("run `chmod 600 {shown}`; if others could read it, replace the secret"),
        );
        return false;
    }
    if found.len() == 0 {
        report.add(field, format!("{shown} is empty"), mend);
        return false;
    }
    true
}
