// The one-task locustfile as k6 has it. The body is kept, as Locust keeps it.
import http from 'k6/http';

export const options = { insecureSkipTLSVerify: true };

export default function () {
  http.get(`${__ENV.TARGET}/`);
}
