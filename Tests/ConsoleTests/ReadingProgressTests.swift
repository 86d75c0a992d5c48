import Testing

@testable import Console

struct ReadingProgressTests {
    @Test(
        arguments: [
            (1_001, 1_000, nil), (1_000, 5_000, nil), (5_000, 900, nil), (5_000, 4_999, "catching up"),
            (5_000, 5_000, "behind"), (1_001, 9_000, "behind"),
        ] as [(Int, Int, String?)])
    func `a service is behind only when it was so twice and does not come nearer`(
        first: Int, second: Int, state: String?
    ) {
        #expect(ReadingProgress(first, then: second)?.state == state)
    }
}
