import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;

/**
 * OpenSearch from its jars alone: its settings are the arguments, each name=value; the classes of its plugins are in
 * the property `plugins`, with commas between them.
 */
public final class OpenSearchNode extends Node {
  private OpenSearchNode(Environment environment, List<Class<? extends Plugin>> plugins) {
    super(environment, plugins, true);
  }

  public static void main(String[] args) throws Exception {
    Settings.Builder builder = Settings.builder();
    for (String arg : args) {
      int at = arg.indexOf('=');
      builder.put(arg.substring(0, at), arg.substring(at + 1));
    }
    Settings settings = builder.build();
    Path config = Path.of(settings.get("path.home"), "config");
    List<Class<? extends Plugin>> plugins = new ArrayList<>();
    for (String name : System.getProperty("plugins").split(",")) {
      plugins.add(Class.forName(name).asSubclass(Plugin.class));
    }
    OpenSearchNode node = new OpenSearchNode(new Environment(settings, config), plugins);
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
