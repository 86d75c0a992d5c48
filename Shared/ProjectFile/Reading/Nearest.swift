/// The known word that somebody probably meant; `nil` when none is near enough to be worth guessing.
func nearest(to word: String, among known: some Sequence<String>) -> String? {
    let wanted = Array(word.lowercased().utf8)
    let limit = max(1, min(3, wanted.count / 2))
    var best: (word: String, distance: Int)?
    var looks = 0
    for candidate in known {
        // Of very many names only those that begin alike: each look costs time.
        if looks > 50, candidate.utf8.first != word.utf8.first { continue }
        looks += 1
        if looks > 250 { break }
        let letters = Array(candidate.lowercased().utf8)
        guard abs(letters.count - wanted.count) <= limit else { continue }
        let distance = editDistance(wanted, letters)
        if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
    var before: [Int] = []
    var last = Array(0...right.count)
    for row in 1...left.count {
        var current = [row]
        for column in 1...right.count {
            let same = left[row - 1] == right[column - 1]
            var cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1))
            if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                cost = min(cost, before[column - 2] + 1)
            }
            current.append(cost)
        }
        (before, last) = (last, current)
    }
    return last[right.count]
}
