import ArgumentParser
import Foundation
import Messages
import ProjectFile

struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a project file, offline: all errors at once, with their places.",
        discussion: """
            Examples:
              martlet validate
              martlet validate ../churn/martlet.yml --json
              martlet validate --ticks 5         (also when its schedules fire next)

            A warning names what Martlet does nothing with yet; the file is valid all the same.
            """)

    @Argument(help: "A folder with martlet.yml, or the file itself.")
    var path = "."

    @Option(help: "Show so many of the next ticks of each schedule, up to 1000.")
    var ticks = 0

    @Option(help: "The ticks after this time, for example 2026-03-29T00:00:00Z. Default: now.")
    var after: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if !(0...1000).contains(ticks) { throw ValidationError("--ticks: take 0 to 1000") }
        if let after, Timestamp(after) == nil {
            throw ValidationError("--after: '\(after)' is not a time; write it as 2026-01-31T12:00:00Z")
        }
    }

    func run() async throws {
        var report = try ValidationReport(path: path)
        report.addTicks(ticks, after: after.flatMap(Timestamp.init) ?? Timestamp(Date()))
        if json { try Terminal.show(report.json) } else { print(report.text) }
        if !report.errors.isEmpty { throw ExitCode(CommandLineRun.failed) }
    }
}

/// What there is to say of the project file in a folder.
struct ValidationReport {
    var path: String
    var project: Project?
    var errors: [FileError] = []
    /// What it says and nothing comes of.
    var warnings: [FileError] = []
    private var ticks: [ScheduleTicks] = []

    private struct ScheduleTicks {
        var pipeline: String
        var schedule: Schedule
        var times: [Timestamp]
    }

    init(path: String) throws {
        let folder = try Self.folder(of: path)
        self.path = folder.path
        let file = URL(fileURLWithPath: path).standardizedFileURL
        // A file of any name is read as if it stood there as the folder's own project file.
        let other = file.path != folder.path && !Self.isPart(file, of: folder) ? file : nil
        let documents = try Self.documents(in: folder, main: other)
        let result = ProjectReader.read(documents, repositoryName: folder.lastPathComponent) { path in
            try? String(contentsOfFile: "\(folder.path)/\(path)", encoding: .utf8)
        }
        func named(_ found: FileError) -> FileError {
            var named = found
            if let other, found.file == ProjectReader.mainFile { named.file = other.lastPathComponent }
            return named
        }
        switch result {
        case .success(let project):
            self.project = project
            warnings = project.warnings.map(named)
        case .failure(let found): errors = found.errors.map(named)
        }
    }

    /// When its schedules fire next.
    mutating func addTicks(_ count: Int, after time: Timestamp) {
        guard count > 0, let project else { return }
        for pipeline in project.pipelines {
            for schedule in pipeline.schedules {
                var times: [Timestamp] = []
                while times.count < count, let next = schedule.next(after: times.last ?? time) { times.append(next) }
                ticks.append(ScheduleTicks(pipeline: pipeline.name, schedule: schedule, times: times))
            }
        }
    }

    private static func folder(of path: String) throws -> URL {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw Failure(
                "there is no '\(path)'", hint: "name a folder with \(ProjectReader.mainFile), or the file itself")
        }
        return isFolder.boolValue ? url : url.deletingLastPathComponent()
    }

    private static func isPart(_ file: URL, of folder: URL) -> Bool {
        file.lastPathComponent == ProjectReader.mainFile
    }

    private static func documents(in folder: URL, main: URL?) throws -> [ProjectDocument] {
        let pipelines = folder.appendingPathComponent(ProjectReader.pipelineFolder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: pipelines.path)) ?? []
        let paths = [ProjectReader.mainFile] + names.sorted().map { "\(ProjectReader.pipelineFolder)/\($0)" }
        return try paths.filter(ProjectReader.isProjectFile).compactMap { path in
            let own = folder.appendingPathComponent(path)
            let file = path == ProjectReader.mainFile ? main ?? own : own
            guard FileManager.default.fileExists(atPath: file.path) else { return nil }
            guard let text = String(data: try Data(contentsOf: file), encoding: .utf8) else {
                throw Failure("\(path) is not UTF-8 text", hint: "save it as UTF-8")
            }
            return ProjectDocument(path: path, text: text)
        }
    }

    var text: String {
        guard let project else {
            let count = errors.count == 1 ? "1 error" : "\(errors.count) errors"
            return errors.map(\.description).joined(separator: "\n") + "\n\(count)"
        }
        let pipelines = project.pipelines.map(\.name).joined(separator: ", ")
        let valid = "\(project.name) is valid; pipelines: \(pipelines.isEmpty ? "none" : pipelines)"
        let schedules = ticks.map { entry in
            "\n\(entry.pipeline): '\(entry.schedule.cron.text)' (\(entry.schedule.timeZone))"
                + entry.times.map { "\n  \($0.text)" }.joined()
        }
        let warned = warnings.map { "\($0.file):\($0.line):\($0.column): warning: \($0.message)\n" }
        let count = warnings.count == 1 ? "; 1 warning" : "; \(warnings.count) warnings"
        return warned.joined() + valid + (warnings.isEmpty ? "" : count) + schedules.joined()
    }

    var json: JSONValue {
        func members(_ found: FileError) -> JSONValue {
            [
                "file": .string(found.file), "line": .int(found.line), "column": .int(found.column),
                "message": .string(found.message),
            ]
        }
        let schedules = ticks.map { entry -> JSONValue in
            [
                "pipeline": .string(entry.pipeline), "cron": .string(entry.schedule.cron.text),
                "timezone": .string(entry.schedule.timeZone), "ticks": .array(entry.times.map { .string($0.text) }),
            ]
        }
        return [
            "valid": .bool(errors.isEmpty), "project": project.map { .string($0.name) } ?? .null,
            "pipelines": .array((project?.pipelines ?? []).map { .string($0.name) }),
            "errors": .array(errors.map(members)), "warnings": .array(warnings.map(members)),
            "schedules": .array(schedules),
        ]
    }
}
