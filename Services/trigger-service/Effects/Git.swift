import Foundation
import Processes

/// The `git` program, held so that nothing a repository or a remote says can become an option or a prompt.
struct Git: Sendable {
    /// Arguments after the program, and how long it may take.
    typealias Execution = @Sendable (_ arguments: [String], _ timeout: Duration) async throws -> CommandOutput

    var execute: Execution = { arguments, timeout in
        try await runCommand(["git"] + arguments, environment: environment, timeout: timeout, maxOutput: 64 << 20)
    }

    /// What git said when it could not do what was asked.
    struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        let doing: String
        let reason: String
        /// It wrote more than is read, or went on for longer than is waited: what was asked may have no end.
        var isTooMuch = false

        var description: String { "git \(doing): \(reason)" }
    }

    private static let environment: [String: String] = {
        var environment = ProcessInfo.processInfo.environment
        // A service has nobody to ask for a password: fail at once instead of waiting.
        environment["GIT_TERMINAL_PROMPT"] = "0"
        environment["GIT_ASKPASS"] = "true"
        environment["GIT_SSH_COMMAND"] = environment["GIT_SSH_COMMAND"] ?? "ssh -oBatchMode=yes -oConnectTimeout=10"
        environment["GIT_ALLOW_PROTOCOL"] = RepositoryAddress.protocols.joined(separator: ":")
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        environment["LC_ALL"] = "C"
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] { environment[name] = nil }
        return environment
    }()

    /// - Throws: `Failure` with the last line that git wrote.
    @discardableResult
    func run(_ arguments: [String], doing: String, timeout: Duration = .seconds(60)) async throws -> CommandOutput {
        let output = try await attempt(arguments, doing: doing, timeout: timeout)
        guard output.end.isSuccess else { throw Failure(doing: doing, reason: Self.reason(output)) }
        return output
    }

    /// For questions where failing is an answer.
    func attempt(_ arguments: [String], doing: String, timeout: Duration = .seconds(60)) async throws -> CommandOutput {
        do {
            return try await execute(arguments, timeout)
        } catch let error as ProcessError {
            throw Failure(doing: doing, reason: "\(error)", isTooMuch: Self.isTooMuch(error))
        }
    }

    private static func isTooMuch(_ error: ProcessError) -> Bool {
        switch error {
        case .timedOut, .tooMuchOutput: true
        case .notStarted, .notWatched: false
        }
    }

    private static func reason(_ output: CommandOutput) -> String {
        let lines = output.errors.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        // git's advice follows the sentence that matters.
        let fatal = lines.first { $0.hasPrefix("fatal:") || $0.hasPrefix("error:") }
        return String((fatal ?? lines.last ?? "ended with \(output.end)").prefix(500))
    }
}

/// The branches and tags of a repository and the commits they point to.
struct Branches: Sendable, Hashable {
    /// Where HEAD points; `nil` where that branch has no commit yet.
    var head: String?
    var commits: [String: String] = [:]
    /// By their names; of an annotated tag the commit that it is about.
    var tags: [String: String] = [:]
    /// Names that are not taken, because no branch is called so.
    var refused: [String] = []

    mutating func add(_ name: String, _ commit: String) {
        guard GitNames.isBranch(name), GitNames.isCommit(commit) else {
            refused.append(String(name.prefix(100)))
            return
        }
        commits[name] = commit
    }

    mutating func add(tag name: String, _ commit: String) {
        guard GitNames.isBranch(name), GitNames.isCommit(commit) else {
            refused.append(String(name.prefix(100)))
            return
        }
        tags[name] = commit
    }
}

extension Git {
    /// What a repository's branches are now: one process, nothing transferred.
    func branches(of address: RepositoryAddress) async throws -> Branches {
        if let path = address.path { return try await branches(in: ["-C", path]) }
        let output = try await run(
            ["ls-remote", "--symref", "--quiet", "--", address.text, "HEAD", "refs/heads/*", "refs/tags/*"],
            doing: "ls-remote", timeout: .seconds(30))
        return Self.parse(remote: output.text)
    }

    /// The branches of a repository on this machine, ours or another's.
    func branches(in place: [String]) async throws -> Branches {
        let output = try await run(
            place + [
                "for-each-ref", "--format=%(objectname) %(*objectname) %(*objecttype) %(HEAD) %(refname)",
                "refs/heads/", "refs/tags/",
            ], doing: "for-each-ref")
        var branches = Branches()
        for line in output.text.split(separator: "\n") {
            // `<object> <what it is about, where it is a tag's, and its kind> <*| > refs/heads/<name>`; the mark may be a
            // space itself.
            let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4, let ref = fields[3].range(of: "refs/") else { continue }
            var object = String(fields[1].isEmpty ? fields[0] : fields[1])
            // A tag of a tag: here git looks through one of them, for other machines through all.
            if fields[2] == "tag" { object = try await peeled(object, in: place) }
            switch Self.name(fields[3][ref.lowerBound...]) {
            case ("refs/heads/", let name)?:
                branches.add(name, object)
                if fields[3][..<ref.lowerBound].contains("*") { branches.head = name }
            case (_, let name)?: branches.add(tag: name, object)
            case nil: continue
            }
        }
        return branches
    }

    /// What a tag is about in the end.
    private func peeled(_ tag: String, in place: [String]) async throws -> String {
        try await run(place + ["rev-parse", "--verify", "--quiet", tag + "^{}"], doing: "rev-parse").text
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func parse(remote text: String) -> Branches {
        var branches = Branches()
        let prefix = "refs/heads/"
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if parts[0].hasPrefix("ref: "), parts[1] == "HEAD" {
                let ref = parts[0].dropFirst("ref: ".count)
                if ref.hasPrefix(prefix) { branches.head = String(ref.dropFirst(prefix.count)) }
            } else if let (kind, name) = name(parts[1]) {
                // What an annotated tag is about follows it, under `<name>^{}`.
                if kind == prefix {
                    branches.add(name, String(parts[0]))
                } else {
                    branches.add(tag: name.hasSuffix("^{}") ? String(name.dropLast(3)) : name, String(parts[0]))
                }
            }
        }
        return branches
    }

    private static func name(_ ref: Substring) -> (kind: String, name: String)? {
        for kind in ["refs/heads/", "refs/tags/"] where ref.hasPrefix(kind) {
            return (kind, String(ref.dropFirst(kind.count)))
        }
        return nil
    }
}
