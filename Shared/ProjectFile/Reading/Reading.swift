import Messages

/// Collects what is wrong while files are read, so that all of it is told at once.
final class Reading {
    /// Something goes by the files already.
    let taken: Bool
    private var seen: Set<FileError> = []
    private(set) var errors: [FileError] = []
    /// What is no mistake, and yet has no effect.
    private(set) var warnings: [FileError] = []
    /// Steps that start pipelines: checked when all of those are known.
    var starts: [PipelineStartCheck] = []
    /// What pipelines are to find in those that they follow, likewise.
    var upstreams: [UpstreamCheck] = []
    /// The texts by path: the places inside a scalar are found in them.
    private var lines: [String: [Substring.UnicodeScalarView]] = [:]

    init(taken: Bool) { self.taken = taken }

    func add(_ document: ProjectDocument) {
        // By scalars: as a character, a carriage return with its line feed is something else than a line feed.
        lines[document.path] = document.text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The same place may be read several times through aliases; it is told once.
    func fail(_ place: Place, _ message: String) {
        let error = place.error(message)
        if seen.insert(error).inserted { errors.append(error) }
    }

    /// By a rule that came after files that break it: no new one is taken, and what goes by an old one goes on.
    func failIfNew(_ place: Place, _ message: String) {
        if taken { warn(place, message) } else { fail(place, message) }
    }

    func warn(_ place: Place, _ message: String) {
        let warning = place.error(message)
        if seen.insert(warning).inserted { warnings.append(warning) }
    }

    func add(_ errors: [FileError]) {
        for error in errors where seen.insert(error).inserted { self.errors.append(error) }
    }

    /// Line `number`, counted from 1.
    func line(_ number: Int, of path: String) -> Substring.UnicodeScalarView? {
        guard let all = lines[path], all.indices.contains(number - 1) else { return nil }
        return all[number - 1]
    }
}

/// "; did you mean 'x'?" where a known word is near, else the known words if they are few.
func suggestion(for word: String, among known: [String]) -> String {
    if let near = nearest(to: word, among: known) { return "; did you mean '\(near)'?" }
    // 'train-model' where 'train' is known; the longest one.
    let heads = word.indices.filter { word[$0] == "-" || word[$0] == "_" }.map { word[..<$0] }
    if let part = heads.last(where: { head in known.contains { $0 == head } }) { return "; did you mean '\(part)'?" }
    if known.isEmpty { return "; there is none" }
    return known.count <= 16 ? "; there are " + known.joined(separator: ", ") : ""
}
