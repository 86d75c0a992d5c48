import ArgumentParser
import Deployer

@main
enum Program {
    static func main() async { await DeployerCommand.main() }
}
