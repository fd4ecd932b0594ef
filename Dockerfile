# maedal as one small image: `docker build -t maedal .`, then `docker run maedal <command>`.
# A test runs the same COPY and npm steps in empty directories, and starts what comes out of them.

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# Without `optional` no PostgreSQL is packed (a container has DATABASE_URL), and neither is Prisma's command line,
# which npm would bring as an optional companion of its client. No package of ours needs an install script to run.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production MAEDAL_DATA_DIR=/data MAEDAL_HEALTH_FILE=/tmp/maedal-healthy
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY prisma/migrations ./prisma/migrations
COPY examples ./examples
RUN install -d -o 10001 -g 10001 -m 0700 /data
# By number, so that Kubernetes can see that it is not root. Everything in /app is root's and stays as it is.
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
# Every role and the sandbox write this file every 15 s while they can work: no console is needed, and no gateway is asked.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["node", "-e", "process.exit(Date.now() - fs.statSync(process.env.MAEDAL_HEALTH_FILE).mtimeMs < 60000 ? 0 : 1)"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
