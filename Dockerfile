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
ENV NODE_ENV=production MAEDAL_DATA_DIR=/data
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
# For `start` with a console; docker-compose.yml has its own for processes without one.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.MAEDAL_PORT || 3000}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start"]
