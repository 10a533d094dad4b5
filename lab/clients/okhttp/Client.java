import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonSyntaxException;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.ConnectionPool;
import okhttp3.ConnectionSpec;
import okhttp3.EventListener;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.internal.Version;
import okhttp3.internal.http.HttpMethod;

/** OkHttp as a client of the lab. The contract that it keeps is documented in lab/clients/doc.go. */
public final class Client {
    /** Local port of the connection that the last try of the current request used. */
    private static int localPort;

    public static void main(String[] args) throws IOException {
        // UTF-8 whatever the locale: OkHttp's own error texts are not ASCII ("content=…").
        System.setOut(new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

        JsonObject ready = new JsonObject();
        ready.addProperty("ready", true);
        ready.addProperty("client", "okhttp");
        ready.addProperty("version", Version.userAgent().replaceFirst("^okhttp/", ""));
        ready.addProperty("runtime", "OpenJDK " + System.getProperty("java.version"));
        System.out.println(ready);

        String line = in.readLine();
        if (line == null) {
            return;
        }
        OkHttpClient client = client(parse(line, Set.of(), Set.of("retry", "pool_idle_ms", "timeout_ms")));
        while ((line = in.readLine()) != null) {
            System.out.println(perform(client, parse(line, Set.of("n", "method", "url"), Set.of("headers", "body"))));
        }
        // The pool's own thread would keep the JVM for minutes.
        System.exit(0);
    }

    private static OkHttpClient client(JsonObject options) {
        OkHttpClient.Builder builder = new OkHttpClient.Builder()
                // The article's timeouts.
                .connectTimeout(10, TimeUnit.SECONDS)
                .writeTimeout(10, TimeUnit.SECONDS)
                .readTimeout(30, TimeUnit.SECONDS)
                // No TLS: reading the JVM's certificates is a third of its start.
                .connectionSpecs(List.of(ConnectionSpec.CLEARTEXT))
                .eventListener(new EventListener() {
                    @Override
                    public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
                        localPort = 0;
                    }

                    @Override
                    public void connectionAcquired(Call call, Connection connection) {
                        localPort = connection.socket().getLocalPort();
                    }
                });
        try {
            if (options.has("retry")) {
                if (!options.getAsJsonPrimitive("retry").isBoolean()) {
                    throw new IllegalArgumentException("retry must be true or false");
                }
                builder.retryOnConnectionFailure(options.get("retry").getAsBoolean());
            }
            if (options.has("pool_idle_ms")) {
                builder.connectionPool(new ConnectionPool(5, millis(options, "pool_idle_ms"), TimeUnit.MILLISECONDS));
            }
            if (options.has("timeout_ms")) {
                long timeout = millis(options, "timeout_ms");
                builder.connectTimeout(timeout, TimeUnit.MILLISECONDS)
                        .writeTimeout(timeout, TimeUnit.MILLISECONDS)
                        .readTimeout(timeout, TimeUnit.MILLISECONDS);
            }
        } catch (RuntimeException e) {
            throw exit(2, "options " + options + ": " + e.getMessage());
        }
        return builder.build();
    }

    private static JsonObject perform(OkHttpClient client, JsonObject step) {
        Request request = request(step);
        JsonObject reply = new JsonObject();
        reply.add("n", step.get("n"));
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        IOException failure = null;
        localPort = 0;
        long start = System.nanoTime();
        try (Response response = client.newCall(request).execute()) {
            reply.addProperty("status", response.code());
            InputStream stream = response.body().byteStream();
            byte[] chunk = new byte[8192];
            for (int n; (n = stream.read(chunk)) >= 0;) {
                body.write(chunk, 0, n);
            }
        } catch (IOException e) {
            failure = e;
        }
        double ms = (System.nanoTime() - start) / 100_000 / 10.0;
        if (failure != null) {
            JsonObject error = new JsonObject();
            error.addProperty("class", classify(failure));
            error.addProperty("text", text(failure));
            reply.add("error", error);
        }
        reply.addProperty("local_port", localPort);
        if (reply.has("status")) {
            byte[] bytes = body.toByteArray();
            reply.addProperty("body", new String(bytes, 0, Math.min(bytes.length, 200), StandardCharsets.UTF_8));
            reply.addProperty("bytes", bytes.length);
        }
        reply.addProperty("ms", ms);
        return reply;
    }

    private static Request request(JsonObject step) {
        try {
            step.get("n").getAsInt();
            String method = step.get("method").getAsString();
            RequestBody body = null;
            if (step.has("body")) {
                if (!HttpMethod.permitsRequestBody(method)) {
                    throw exit(127, "OkHttp sends no body with " + method);
                }
                body = RequestBody.create(null, step.get("body").getAsString().getBytes(StandardCharsets.UTF_8));
            } else if (HttpMethod.requiresRequestBody(method)) {
                body = RequestBody.create(null, new byte[0]);
            }
            Request.Builder builder = new Request.Builder().url(step.get("url").getAsString()).method(method, body);
            if (step.has("headers")) {
                for (Map.Entry<String, JsonElement> header : step.getAsJsonObject("headers").entrySet()) {
                    builder.header(header.getKey(), header.getValue().getAsString());
                }
            }
            return builder.build();
        } catch (RuntimeException e) {
            throw exit(2, "request " + step + ": " + e);
        }
    }

    /** The first error of the chain that has a class of its own decides. */
    private static String classify(Throwable failure) {
        for (Throwable e = failure; e != null; e = e.getCause()) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("onnection reset") || message.contains("Broken pipe") || message.contains("Connection abort")) {
                return "reset";
            }
            if (message.contains("Connection refused")) {
                return "refused";
            }
            if (e instanceof NoRouteToHostException || message.contains("unreachable")) {
                return "unreachable";
            }
            if (e instanceof InterruptedIOException || message.contains("timed out")) {
                return "timeout";
            }
            if (e instanceof EOFException || message.startsWith("unexpected end of stream")) {
                return "eof";
            }
        }
        return "other";
    }

    /** What printStackTrace prints, without the frames. */
    private static String text(Throwable failure) {
        StringBuilder text = new StringBuilder(failure.toString());
        for (Throwable e = failure.getCause(); e != null; e = e.getCause()) {
            text.append("\nCaused by: ").append(e);
        }
        return text.toString();
    }

    private static JsonObject parse(String line, Set<String> required, Set<String> optional) {
        JsonObject object;
        try {
            object = JsonParser.parseString(line).getAsJsonObject();
        } catch (JsonSyntaxException | IllegalStateException e) {
            throw exit(2, "not a JSON object: " + line);
        }
        for (String key : object.keySet()) {
            if (!required.contains(key) && !optional.contains(key)) {
                throw exit(127, "OkHttp does not support " + key);
            }
        }
        if (!object.keySet().containsAll(required)) {
            throw exit(2, line + ": lacks one of " + required);
        }
        return object;
    }

    private static long millis(JsonObject options, String key) {
        long value = options.get(key).getAsLong();
        if (value <= 0) {
            throw new IllegalArgumentException(key + " must be above 0");
        }
        return value;
    }

    /** Ends the program. Returns nothing; `throw exit(…)` tells the compiler so. */
    private static RuntimeException exit(int code, String message) {
        System.err.println(message);
        System.exit(code);
        return new IllegalStateException();
    }
}
