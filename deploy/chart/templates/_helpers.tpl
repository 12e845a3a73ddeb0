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

{{- define "gregaria.secret" -}}
{{- if .Values.clusterKey.existingSecret -}}
{{ .Values.clusterKey.existingSecret }}
{{- else if .Values.clusterKey.value -}}
{{ include "gregaria.name" . }}-key
{{- end -}}
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
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
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
terminationGracePeriodSeconds: 60
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
