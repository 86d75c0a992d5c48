/// A name for a run that was given none: `calm-heron-417`.
enum RunName {
    private static let manners = [
        "able", "agile", "bold", "brave", "bright", "brisk", "calm", "careful", "clever", "curious", "deft", "eager",
        "fair", "fleet", "gentle", "glad", "honest", "keen", "kind", "light", "lively", "merry", "nimble", "patient",
        "quick", "quiet", "shy", "sly", "steady", "swift", "wise", "witty",
    ]
    private static let birds = [
        "avocet", "bittern", "bunting", "crake", "crane", "curlew", "dipper", "dove", "dunlin", "egret", "falcon",
        "finch", "grebe", "gull", "harrier", "heron", "hobby", "jay", "kestrel", "kite", "lark", "linnet", "martin",
        "merlin", "osprey", "petrel", "plover", "puffin", "raven", "robin", "siskin", "swallow", "swift", "tern",
        "thrush", "wren",
    ]

    /// - Parameter number: any; the same one gives the same name.
    static func name(_ number: UInt64) -> String {
        let manner = manners[Int(number % UInt64(manners.count))]
        let bird = birds[Int(number / 64 % UInt64(birds.count))]
        return "\(manner)-\(bird)-\(number / 4096 % 1000)"
    }
}
