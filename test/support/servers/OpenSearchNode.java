import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** OpenSearch from its jars alone: a node with HTTP; its settings are the arguments, each name=value. */
public final class OpenSearchNode extends Node {
  private OpenSearchNode(Environment environment) {
    super(environment, List.of(Netty4Plugin.class), true);
  }

  public static void main(String[] args) throws Exception {
    Settings.Builder builder = Settings.builder();
    for (String arg : args) {
      int at = arg.indexOf('=');
      builder.put(arg.substring(0, at), arg.substring(at + 1));
    }
    Settings settings = builder.build();
    Path config = Path.of(settings.get("path.home"), "config");
    OpenSearchNode node = new OpenSearchNode(new Environment(settings, config));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        node.close();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }));
    node.start();
    Thread.currentThread().join();
  }
}
