import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.util.ServerInfo;

/**
 * Tomcat with the timeouts of its own server.xml. Each event is one JSON line on stdout, so that executions can be
 * counted.
 */
public final class Server extends HttpServlet {
    private static final String VERSION = ServerInfo.getServerInfo().replaceAll(".*/| .*", "");

    private final AtomicInteger requests = new AtomicInteger();

    public static void main(String[] args) throws LifecycleException {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir("/tmp");
        tomcat.setPort(8080);
        // As in the server.xml that Tomcat comes with; in the code itself it is 60 s. keepAliveTimeout follows it.
        tomcat.getConnector().setProperty("connectionTimeout", "20000");
        Tomcat.addServlet(tomcat.addContext("", null), "server", new Server()).addMapping("/*");
        tomcat.start();
        System.out.printf("{\"event\":\"listening\",\"port\":8080,\"server\":\"tomcat\",\"version\":\"%s\"}%n", VERSION);
        tomcat.getServer().await();
    }

    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String method = request.getMethod();
        String url = request.getRequestURI() + (request.getQueryString() == null ? "" : "?" + request.getQueryString());
        System.out.printf("{\"event\":\"request\",\"n\":%d,\"method\":\"%s\",\"url\":\"%s\"}%n",
                requests.incrementAndGet(), method, url);
        request.getInputStream().readAllBytes();
        response.setContentType("text/plain");
        response.getWriter().printf("%s %s answered by Tomcat %s%n", method, url, VERSION);
    }
}
