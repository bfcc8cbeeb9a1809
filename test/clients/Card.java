// The card in Java, through its PKCS#11 provider.
//
//   java Card.java CONFIGURATION PIN sign          every mechanism, in parts, empty, abandoned, in parallel
//   java Card.java CONFIGURATION PIN sign-no-pss   the same where the card has no PSS: it must not be listed
//   java Card.java CONFIGURATION PIN login CA PORT PROTOCOL    gets the page of a TLS server on localhost
//
// Prints each step; any exception is a failure.

import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.security.cert.*;
import java.security.spec.*;
import java.util.*;
import java.util.concurrent.*;
import javax.net.ssl.*;
import javax.security.auth.callback.PasswordCallback;

public class Card {
    static final String[] MECHANISMS = {"SHA1withRSA", "SHA256withRSA", "SHA384withRSA", "SHA512withRSA"};

    static AuthProvider provider;
    static KeyStore store;
    static String alias;
    static char[] pin;

    public static void main(String[] arguments) throws Exception {
        provider = (AuthProvider) Security.getProvider("SunPKCS11").configure(arguments[0]);
        Security.addProvider(provider);
        pin = arguments[1].toCharArray();
        open();
        switch (arguments[2]) {
        case "sign": signs(true); break;
        case "sign-no-pss": signs(false); break;
        case "login": logsIn(arguments[3], Integer.parseInt(arguments[4]), arguments[5]); break;
        default: throw new IllegalArgumentException(arguments[2]);
        }
    }

    static void open() throws Exception {
        store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
        for (String name : Collections.list(store.aliases()))
            if (store.isKeyEntry(name))
                alias = name;
        require(alias != null, "no key");
    }

    static void require(boolean condition, String what) {
        if (!condition)
            throw new IllegalStateException(what);
    }

    static PrivateKey key() throws Exception {
        return (PrivateKey) store.getKey(alias, null);
    }

    static Signature signer(String mechanism) throws Exception {
        Signature signature = Signature.getInstance(mechanism, provider);
        if (mechanism.equals("RSASSA-PSS"))
            signature.setParameter(pss());
        signature.initSign(key());
        return signature;
    }

    static PSSParameterSpec pss() {
        return new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);
    }

    // By Java's own code, not by the module.
    static void verify(String mechanism, byte[] data, byte[] made) throws Exception {
        Signature signature = Signature.getInstance(mechanism, "SunRsaSign");
        if (mechanism.equals("RSASSA-PSS"))
            signature.setParameter(pss());
        signature.initVerify(store.getCertificate(alias).getPublicKey());
        signature.update(data);
        require(signature.verify(made), mechanism + " does not verify");
    }

    static void signOnce(String mechanism, byte[] data) throws Exception {
        Signature signature = signer(mechanism);
        signature.update(data);
        verify(mechanism, data, signature.sign());
    }

    static void signInParts(String mechanism, byte[] data) throws Exception {
        Signature signature = signer(mechanism);
        for (int at = 0; at < data.length; at += 1000)
            signature.update(data, at, Math.min(1000, data.length - at));
        verify(mechanism, data, signature.sign());
    }

    static void abandon(String mechanism) throws Exception {
        Signature signature = signer(mechanism);
        signature.update(new byte[10]);
        signature.initSign(key());
        signature.update(new byte[20]);
        verify(mechanism, new byte[20], signature.sign());
    }

    static void signInParallel(String mechanism, int threads) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            byte[] data = ("thread " + i).getBytes(StandardCharsets.UTF_8);
            all.add(pool.submit(() -> { signOnce(mechanism, data); return null; }));
        }
        for (Future<?> one : all)
            one.get(60, TimeUnit.SECONDS);
        pool.shutdown();
    }

    static void signs(boolean withPss) throws Exception {
        List<String> mechanisms = new ArrayList<>(List.of(MECHANISMS));
        require((provider.getService("Signature", "RSASSA-PSS") != null) == withPss, "RSASSA-PSS listed or not");
        if (withPss)
            mechanisms.add("RSASSA-PSS");
        byte[] data = new byte[100000];
        new Random(1).nextBytes(data);
        for (String mechanism : mechanisms) {
            signOnce(mechanism, "some data".getBytes(StandardCharsets.UTF_8));
            signOnce(mechanism, new byte[0]);
            signInParts(mechanism, data);
            abandon(mechanism);
            signInParallel(mechanism, 4);
            System.out.println(mechanism + ": whole, empty, in parts, after an abandoned one, four at once");
        }
        provider.logout();
        try {
            signOnce("SHA256withRSA", data);
            throw new IllegalStateException("signs after logout");
        } catch (GeneralSecurityException | ProviderException expected) {
            System.out.println("after logout: " + expected);
        }
        open();
        signOnce("SHA256withRSA", data);
        System.out.println("after another login: signs");
    }

    static SSLContext context(String ca) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (FileInputStream file = new FileInputStream(ca)) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("NewSunX509");
        keys.init(new KeyStoreBuilderParameters(KeyStore.Builder.newInstance(store, new KeyStore.PasswordProtection(pin))));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    static void logsIn(String ca, int port, String protocol) throws Exception {
        try (SSLSocket socket = (SSLSocket) context(ca).getSocketFactory().createSocket("localhost", port)) {
            socket.setSoTimeout(20000);
            socket.setEnabledProtocols(new String[] {protocol});
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            System.out.write(socket.getInputStream().readAllBytes());
            System.out.flush();
        }
    }
}
