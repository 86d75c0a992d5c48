import Artifacts
import Foundation
import Messages
import ServiceKit
import Store

/// Looks at an installation from outside of it: everything that it stands on, whether it runs or not. Changes nothing.
struct Doctor {
    let paths: DataPaths
    let ports: SuitePorts
    /// Its data folder is on this machine.
    let isHere: Bool
    /// `nil` where none runs.
    let suite: RunningSuite?

    func look() async -> [Finding] {
        var findings: [Finding] = []
        if isHere {
            findings += [
                programs(), tools(), folder(), Machine.fileSystem(paths.root), Machine.room(paths.root), clock(),
                secrecy(), databases(), await artifacts(), backups(),
            ]
            findings += [restore()].compactMap(\.self)
        }
        if let suite {
            findings += [await suite.bus()] + (await suite.services())
        } else {
            findings += [Machine.free(ports), Finding.ok("version", MartletVersion.number)]
        }
        return findings
    }

    private func programs() -> Finding {
        let names = ["martlet"] + Set(ports.members.map(\.executable.name)).sorted()
        let folder = (try? Executables.folder()) ?? ""
        let missing = names.filter { !FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
        return missing.isEmpty
            ? .ok("programs", "\(names.count) in \(folder)")
            : .bad(
                "programs", "missing in \(folder): \(missing.joined(separator: ", "))",
                do: "build them with 'make build', or install the whole release")
    }

    private func tools() -> Finding {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let missing = ["git", "tar", "python3"].filter { tool in
            !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
        }
        return missing.isEmpty
            ? .ok("tools", "git, tar and python3 are there")
            : .bad(
                "tools", "not in PATH: \(missing.joined(separator: ", "))",
                do: "install them: repositories, artifacts and Python environments need them")
    }

    private func folder() -> Finding {
        guard Folders.exists(paths.root) else {
            return .warning(
                "data folder", "\(paths.root) does not exist", do: "'martlet up' makes it, or name another with --data")
        }
        guard FileManager.default.isWritableFile(atPath: paths.root) else {
            return .bad("data folder", "\(paths.root) cannot be written to", do: "check its owner")
        }
        return Machine.isOpen(paths.root)
            ? .bad(
                "data folder", "others may enter \(paths.root)",
                do: "chmod 700 \(paths.root): sockets and state are in it")
            : .ok("data folder", paths.root)
    }

    /// What was written last cannot be of the future.
    private func clock() -> Finding {
        let newest = databasePaths.compactMap { Machine.modified($0.path) }.max()
        let ahead = newest.map { $0.timeIntervalSinceNow } ?? 0
        if ahead > 60 {
            return .bad(
                "clock", "it is \(Int(ahead)) s behind what was written last",
                do: "set it (chrony, systemd-timesyncd): signatures, schedules and leases go by it")
        }
        return Date().timeIntervalSince1970 < 1_700_000_000
            ? .bad("clock", "it says \(Timestamp(Date()).text)", do: "set it") : .ok("clock", Timestamp(Date()).text)
    }

    private func secrecy() -> Finding {
        let open = [paths.secrets, paths.tokens, paths.keys].flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).map { "\(folder)/\($0)" }
        }
        .filter { !$0.hasSuffix(".pub") && !$0.hasSuffix("authorized_keys") && Machine.isOpen($0) }
        return open.isEmpty
            ? .ok("secrets", "nobody else may read keys, tokens and secrets")
            : .bad(
                "secrets", "others may read \(open.sorted().joined(separator: ", "))",
                do: "chmod 600 them; if somebody may have read one, replace it")
    }

    private var databasePaths: [(name: String, path: String)] {
        Source.all.filter { $0 != .ingest }.map { (name: $0.name, path: paths.database($0)) }
            .filter { Folders.exists($0.path) }
    }

    private func databases() -> Finding {
        var problems: [String] = []
        for (_, path) in databasePaths {
            do { try DatabaseCopy.checkInUse(path) } catch { problems.append("\(error)") }
        }
        if !problems.isEmpty {
            return .bad(
                "databases", problems.joined(separator: "; "),
                do: "'martlet down', then 'martlet restore' the newest backup")
        }
        return .ok("databases", databasePaths.isEmpty ? "none yet" : "\(databasePaths.count) whole")
    }

    private func artifacts() async -> Finding {
        do {
            let store = try ArtifactSettings(secrets: Secrets(paths: paths)).store(paths)
            _ = try await store.contains(Digest(of: Data()))
            return .ok("artifacts", store.address)
        } catch {
            return .bad("artifacts", "\(error)", do: "models cannot be read or stored until it is mended")
        }
    }

    private func backups() -> Finding {
        guard let status = BackupStatus.read(paths) else {
            return .warning(
                "backups", "none are scheduled",
                do: "martlet up --backup-to FOLDER, or 'martlet backup' by your own schedule")
        }
        if let failure = status.failure {
            return .bad("backups", failure, do: "look at the room and the owner of \(status.folder)")
        }
        return .ok(
            "backups", status.last.map { "the newest is of \($0), in \(status.folder)" } ?? "the first is on its way")
    }

    private func restore() -> Finding? {
        RestoreMark.read(paths).map {
            Finding.bad("restore", "one of \($0.from) was interrupted", do: "'martlet restore \($0.from)' finishes it")
        }
    }
}
