import Foundation
import Messages
import Processes
import ProjectFile

/// A repository as it lies in a folder: a commit of it, or the files as they are just now.
struct OfflineRepository: Sendable {
    let path: String
    let name: String
    /// `nil`: the folder is no git repository.
    private let mirror: Mirror?
    let branch: String

    /// What a cause is about.
    struct Commit: Sendable {
        var sha: String
        var message: String
        var author: String
        var files: [String: String]
        var paths: [String]
        /// Nobody can tell what changed.
        var pathsTruncated: Bool
        /// What is not as it was asked for.
        var note: String?
    }

    /// What a commit is compared with.
    enum Comparison: Sendable, Hashable {
        /// `nil`, or one that is not there: the commit before it.
        case commit(String?)
        /// Where it left that branch; `nil`: the one that is checked out.
        case branch(String?)
    }

    /// Stands for files that are in no commit.
    static let workingCopy = String(repeating: "0", count: 40)

    init(path: String) async throws {
        let folder = URL(fileURLWithPath: path).standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw Refusal("there is no folder '\(path)'")
        }
        self.path = folder.path
        name = GitNames.isRepository(folder.lastPathComponent) ? folder.lastPathComponent : "repository"
        let git = Git()
        let found = try await git.attempt(
            ["-C", folder.path, "rev-parse", "--absolute-git-dir"], doing: "rev-parse")
        guard found.end.isSuccess else {
            mirror = nil
            branch = "main"
            return
        }
        mirror = Mirror(path: found.text.trimmingCharacters(in: .whitespacesAndNewlines), git: git)
        branch = try await git.branches(in: ["-C", folder.path]).head ?? "main"
    }

    /// - Parameters:
    ///   - sha: a commit or the beginning of its name; `nil`: the files as they are.
    ///   - mayLack: where there is no such commit, the files as they are have to do.
    func commit(_ sha: String?, with other: Comparison, mayLack: Bool) async throws -> Commit {
        guard let sha, sha != Self.workingCopy else { return try await current() }
        guard let mirror, let full = try await mirror.resolve(sha) else {
            guard mayLack else {
                throw Refusal("'\(path)' has no commit \(sha); leave 'sha' out to plan with the files as they are")
            }
            var commit = try await current()
            (commit.paths, commit.pathsTruncated) = ([], true)
            commit.note = "commit \(sha.prefix(12)) is not in the folder: its files as they are count, whatever changed"
            return commit
        }
        let commit = try await mirror.commit(full)
        let changed = try await mirror.changedPaths(from: try await start(of: full, other, mirror), to: full)
        return Commit(
            sha: full, message: commit.message, author: commit.author,
            files: try await mirror.projectFiles(of: full, repository: name), paths: changed.paths,
            pathsTruncated: changed.truncated)
    }

    private func start(of commit: String, _ other: Comparison, _ mirror: Mirror) async throws -> String? {
        switch other {
        case .commit(let before):
            if let before, let known = try await mirror.resolve(before) { return known }
            return try await mirror.parents(of: commit).first
        case .branch(let named):
            let branch = named ?? branch
            guard GitNames.isBranch(branch) else { return nil }
            for name in ["refs/heads/\(branch)", "refs/remotes/origin/\(branch)"] {
                if let start = try await mirror.mergeBase(name, commit) { return start }
            }
            return nil
        }
    }

    private func current() async throws -> Commit {
        let changed: [String]? = if let mirror { try await mirror.uncommitted(in: path) } else { nil }
        return Commit(
            sha: Self.workingCopy, message: "the files as they are", author: "you", files: try folderFiles(),
            paths: changed ?? [], pathsTruncated: changed == nil)
    }

    private func folderFiles() throws -> [String: String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(ProjectReader.pipelineFolder)")) ?? []
        var files: [String: String] = [:]
        for file in [ProjectReader.mainFile] + names.map({ "\(ProjectReader.pipelineFolder)/\($0)" })
        where ProjectReader.isProjectFile(file) {
            guard let data = FileManager.default.contents(atPath: "\(path)/\(file)") else { continue }
            guard let text = String(data: data, encoding: .utf8) else { throw Refusal("\(file) is not UTF-8 text") }
            files[file] = text
        }
        let documents = files.map { ProjectDocument(path: $0.key, text: $0.value) }
        if case .success(let project) = ProjectReader.read(documents, repositoryName: name) {
            for file in project.variablePaths {
                files[file] = try? String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
            }
        }
        return files
    }
}

extension Mirror {
    /// Files that differ from the last commit, new ones among them.
    fileprivate func uncommitted(in folder: String) async throws -> [String] {
        let output = try await git.run(
            ["-C", folder, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"], doing: "status")
        return output.text.split(separator: "\0").map { String($0.dropFirst(3)) }
    }
}
