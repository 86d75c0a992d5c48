import Foundation
import Messages
import Processes
import ProjectFile

/// Our own bare copy of a watched repository: what a run is about stays readable whatever happens at the remote.
struct Mirror: Sendable {
    let path: String
    var git = Git()

    var place: [String] { ["--git-dir=\(path)"] }

    /// Brings every branch and tag here. Commits that a force-push left behind stay: nothing is ever collected.
    func fetch(from address: RepositoryAddress) async throws {
        try await make()
        try await fetch(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], from: address, "--prune")
    }

    func fetch(_ references: [String], from address: RepositoryAddress, _ options: String...) async throws {
        try await git.run(
            place + ["-c", "gc.auto=0", "-c", "maintenance.auto=false", "fetch", "--quiet", "--no-tags", "--force"]
                + options + ["--no-write-fetch-head", "--", address.text] + references,
            doing: "fetch", timeout: .seconds(600))
    }

    private func make() async throws {
        if FileManager.default.fileExists(atPath: path + "/HEAD") { return }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // No template: no hook of this machine's ever runs in here.
        try await git.run(["init", "--quiet", "--bare", "--template=", "--", path], doing: "init")
    }

    func branches() async throws -> Branches { try await git.branches(in: place) }

    func holds(_ commit: String) async throws -> Bool {
        try await git.attempt(place + ["cat-file", "-e", commit + "^{commit}"], doing: "cat-file").end.isSuccess
    }

    /// The full name of a commit that a person named by its beginning; `nil` when there is none or several.
    func resolve(_ short: String) async throws -> String? {
        guard GitNames.isShortCommit(short) else { return nil }
        let output = try await git.attempt(
            place + ["rev-parse", "--verify", "--quiet", "--end-of-options", short + "^{commit}"], doing: "rev-parse")
        let name = output.text.trimmingCharacters(in: .whitespacesAndNewlines)
        return output.end.isSuccess && GitNames.isCommit(name) ? name : nil
    }

    /// Files that differ between two commits, as many as are looked at; from nothing where `before` is `nil`.
    ///
    /// A few bytes of folders that name each other list without end: then nobody can tell what changed, and that is all.
    func changedPaths(
        from before: String?, to commit: String
    ) async throws -> (paths: [String], truncated: Bool) {
        let arguments =
            if let before {
                ["diff-tree", "-r", "-z", "--name-only", "--no-renames", before, commit, "--"]
            } else {
                ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit]
            }
        do {
            let paths = try await git.run(place + arguments, doing: arguments[0]).text.split(separator: "\0")
            return (paths.prefix(BranchChange.mostPaths).map(String.init), paths.count > BranchChange.mostPaths)
        } catch let failure as Git.Failure where failure.isTooMuch {
            return ([], true)
        }
    }

    /// Where a branch left another; `nil` when they have nothing in common.
    func mergeBase(_ one: String, _ other: String) async throws -> String? {
        let output = try await git.attempt(place + ["merge-base", one, other], doing: "merge-base")
        let name = output.text.trimmingCharacters(in: .whitespacesAndNewlines)
        return output.end.isSuccess && GitNames.isCommit(name) ? name : nil
    }

    struct Commit: Sendable, Hashable {
        /// `Name <email>`.
        var author: String
        var email: String
        var message: String
    }

    func commit(_ name: String) async throws -> Commit {
        let output = try await git.run(
            place + ["show", "-s", "--no-show-signature", "--format=%an%x00%ae%x00%s", name, "--"], doing: "show")
        let text = output.text.trimmingCharacters(in: .newlines)
        let parts = text.split(separator: "\0", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { throw Git.Failure(doing: "show", reason: "the commit \(name) has no such form") }
        // Foreign text of any length, and one character may be thousands of bytes.
        let email = parts[1].shortened(to: 254)
        return Commit(
            author: "\(parts[0].shortened(to: 254)) <\(email)>", email: email,
            message: String(parts[2].prefix(200)).shortened(to: 1 << 10))
    }

    /// The commit's files as a tar archive: all of them and as they are, as a checkout has them.
    func archive(_ commit: String, to file: String) async throws {
        try keepWhole()
        try await git.run(
            place + ["archive", "--format=tar", "--output=\(file)", commit], doing: "archive", timeout: .seconds(600))
    }

    /// What a project's `.gitattributes` leave out or fill in is meant for its releases. This file goes before those of any
    /// commit (gitattributes(5)).
    private func keepWhole() throws {
        let (folder, attributes) = (path + "/info", Data("* -export-ignore -export-subst\n".utf8))
        let file = URL(fileURLWithPath: folder + "/attributes")
        if let there = try? Data(contentsOf: file), there == attributes { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try attributes.write(to: file, options: .atomic)
    }
}

extension Mirror {
    static let largestProjectFile = 1 << 20

    /// The project files of a commit by path: plain files only, for a symbolic link could point anywhere.
    func projectFiles(of commit: String, repository: String) async throws -> [String: String] {
        var files = try await self.files(
            of: commit, at: [ProjectReader.mainFile, ProjectReader.pipelineFolder + "/"],
            where: ProjectReader.isProjectFile)
        let documents = files.map { ProjectDocument(path: $0.key, text: $0.value) }
        if case .success(let project) = ProjectReader.read(documents, repositoryName: repository) {
            // The variables' files that it names are part of it.
            let paths = project.variablePaths
            if !paths.isEmpty { files.merge(try await self.files(of: commit, at: paths, where: paths.contains)) { $1 } }
        }
        return files
    }

    private func files(
        of commit: String, at paths: [String], where isWanted: (String) -> Bool
    ) async throws -> [String: String] {
        let listing = try await git.run(
            place + ["ls-tree", "-z", "-l", "--full-tree", commit, "--"] + paths, doing: "ls-tree")
        var files: [String: String] = [:]
        for entry in listing.text.split(separator: "\0") {
            guard let found = Entry(entry), found.isPlainFile, isWanted(found.path) else { continue }
            guard found.size <= Self.largestProjectFile else {
                throw Refusal("\(found.path) has \(found.size) bytes; a project file has at most 1 MiB")
            }
            files[found.path] = try await git.run(place + ["cat-file", "blob", found.object], doing: "cat-file").text
        }
        return files
    }

    /// `<mode> blob <object> <size>\t<path>`.
    private struct Entry {
        let mode: Substring
        let object: String
        let size: Int
        let path: String

        init?(_ line: Substring) {
            guard let tab = line.firstIndex(of: "\t") else { return nil }
            let fields = line[..<tab].split(separator: " ")
            guard fields.count == 4, let size = Int(fields[3]) else { return nil }
            mode = fields[0]
            object = String(fields[2])
            self.size = size
            path = String(line[line.index(after: tab)...])
        }

        var isPlainFile: Bool { mode == "100644" || mode == "100755" }
    }
}
