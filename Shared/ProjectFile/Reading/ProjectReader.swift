import Foundation
import Messages

/// Reads `martlet.yml` and `mlops/pipelines/*.yml` of one commit. Reading runs nothing and touches no file.
package enum ProjectReader {
    package static let mainFile = "martlet.yml"
    package static let pipelineFolder = "mlops/pipelines"

    /// Whether a path of the repository belongs to the project file.
    package static func isProjectFile(_ path: String) -> Bool {
        if path == mainFile { return true }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 && path.hasPrefix(pipelineFolder + "/")
            && (path.hasSuffix(".yml") || path.hasSuffix(".yaml")) && !parts[2].hasPrefix(".")
    }

    /// The project with the `.env` files that it names, or everything that is wrong with it at once.
    /// - Parameter file: the text of a file of the repository; `nil` where there is none.
    package static func read(
        _ documents: [ProjectDocument], repositoryName: String, file: (String) throws -> String?
    ) rethrows -> Result<Project, ProjectErrors> {
        let first = read(documents, repositoryName: repositoryName)
        guard case .success(let project) = first, !project.variablePaths.isEmpty else { return first }
        let named = try project.variablePaths.compactMap { path in
            try file(path).map { ProjectDocument(path: path, text: $0) }
        }
        return read(documents + named, repositoryName: repositoryName)
    }

    /// The project, or everything that is wrong with it at once.
    ///
    /// Documents that are no project files are `.env` files that it names.
    /// - Parameter taken: something goes by them already, perhaps since there were fewer rules. What only rules refuse that
    ///   came after files that break them is a warning then.
    package static func read(
        _ documents: [ProjectDocument], repositoryName: String, taken: Bool = false
    ) -> Result<Project, ProjectErrors> {
        let reading = Reading(taken: taken)
        let others = documents.filter { !isProjectFile($0.path) }.sorted { $0.path < $1.path }
        let ordered = documents.filter { isProjectFile($0.path) }.sorted {
            ($0.path == mainFile ? "" : $0.path) < ($1.path == mainFile ? "" : $1.path)
        }
        guard let first = ordered.first, ordered.count <= ReadingLimits.documents else {
            let problem =
                ordered.isEmpty
                ? "there is no \(mainFile), and nothing under \(pipelineFolder)/"
                : "there are more than \(ReadingLimits.documents) pipeline files"
            return .failure(
                ProjectErrors(errors: [FileError(file: mainFile, line: 1, column: 1, message: problem)])
            )
        }
        var sections = Sections()
        var unread = false
        for document in ordered {
            reading.add(document)
            var composer = TreeComposer(document)
            let tree = composer.compose()
            reading.add(composer.errors)
            if let tree {
                reading.gather(tree, of: document, into: &sections)
            } else {
                unread = true
                if composer.errors.isEmpty {
                    reading.fail(Place(file: document.path, line: 1, column: 1), "the file is empty")
                }
            }
        }
        for document in others {
            let text = EnvironmentText(document)
            reading.add(text.errors)
            sections.variableTexts[document.path] = text.values
        }
        // What a file that cannot be read may have declared, the others must not be blamed for.
        if unread { return .failure(sorted(reading.errors)) }
        let start = Place(file: first.path, line: 1, column: 1)
        let digest = TextDigest.of((ordered + others).flatMap { [$0.path, $0.text] })
        var project = reading.project(sections, repositoryName: repositoryName, start: start, digest: digest)
        guard reading.errors.isEmpty else { return .failure(sorted(reading.errors)) }
        project.warnings = inOrder(reading.warnings)
        return .success(project)
    }

    private static func sorted(_ errors: [FileError]) -> ProjectErrors { ProjectErrors(errors: inOrder(errors)) }

    private static func inOrder(_ found: [FileError]) -> [FileError] {
        found.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }
}
