import Bus

extension Task where Success == Never, Failure == Never {
    /// With everything else that an idle service does once a second.
    static func sleepToWholeSecond() async throws { try await Task.sleep(for: untilWholeSecond()) }
}
