import ArgumentParser
import TrainerProxy

@main
enum Program {
    static func main() async { await TrainerProxyCommand.main() }
}
