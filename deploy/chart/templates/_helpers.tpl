{{/* A value as it was typed: a million that comes out of a file of values is a float, and would be written 1e+06. */}}
{{- define "gregaria.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{- define "gregaria.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "gregaria.selector" -}}
app.kubernetes.io/name: gregaria
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gregaria.labels" -}}
{{ include "gregaria.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Given: the root as `root`, the kind's values as `own`, its name as `component`. What selectors ask for is not to be changed. */}}
{{- define "gregaria.podLabels" -}}
{{- $ours := include "gregaria.labels" .root | fromYaml }}
{{- toYaml (merge (dict "app.kubernetes.io/component" .component) $ours .own.podLabels) }}
{{- end -}}

{{- define "gregaria.secret" -}}
{{- if .Values.clusterKey.existingSecret -}}
{{ .Values.clusterKey.existingSecret }}
{{- else if .Values.clusterKey.value -}}
{{ include "gregaria.name" . }}-key
{{- end -}}
{{- end -}}

{{/* What ends both Jobs. One that is not longer than the run would end it without a verdict: it is refused. */}}
{{- define "gregaria.deadline" -}}
{{- $seconds := 0 }}
{{- range $part := regexFindAll "[0-9]+[hms]?" (include "gregaria.text" .Values.run.time) -1 }}
{{- $unit := hasSuffix "h" $part | ternary 3600 (hasSuffix "m" $part | ternary 60 1) }}
{{- $seconds = add $seconds (mul $unit (trimAll "hms" $part | int64)) }}
{{- end }}
{{- $deadline := int64 .Values.run.deadlineSeconds }}
{{- if le $deadline (add $seconds 300) }}
{{- printf "run.deadlineSeconds is %d: make it longer than the run (%d s) and the 300 s for workers" $deadline $seconds | fail }}
{{- end }}
{{- $deadline }}
{{- end -}}

{{/* Of both kinds of pods: those that kept the old key would be refused. Four digits show that it has changed, and tell little
of it to whoever may read pods, but no secrets. */}}
{{- define "gregaria.keyChecksum" -}}
checksum/key: {{ toJson .Values.clusterKey | sha256sum | trunc 4 | quote }}
{{- end -}}

{{- define "gregaria.environment" -}}
- {name: LOCUST_HOST, value: {{ .Values.host | quote }}}
{{- with include "gregaria.secret" . }}
- name: LOCUST_CLUSTER_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: key}}
{{- end }}
{{- range $name, $value := .Values.environment }}
{{- if kindIs "map" $value }}
- {{ merge (dict "name" $name) $value | toJson }}
{{- else }}
- {name: {{ $name }}, value: {{ include "gregaria.text" $value | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* What pods of both kinds have. Given: the root as `root`, the kind's values as `own`. */}}
{{- define "gregaria.pod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
# Otherwise the variables of a service named `locust-web` would be taken for options: LOCUST_WEB_PORT.
enableServiceLinks: false
automountServiceAccountToken: false
{{- with .own.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
terminationGracePeriodSeconds: {{ int64 .own.terminationGracePeriodSeconds }}
{{- $security := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- with .own.portRange }}
{{- $_ := set $security "sysctls" (list (dict "name" "net.ipv4.ip_local_port_range" "value" .)) }}
{{- end }}
securityContext: {{ toJson (merge (deepCopy .own.podSecurityContext) $security) }}
{{- with .own.nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .own.tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .own.affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "gregaria.container" -}}
name: locust
image: {{ printf "%s:%s" .root.Values.image.repository (default .root.Chart.AppVersion .root.Values.image.tag) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
resources: {{ toJson .own.resources }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}
